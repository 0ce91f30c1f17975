"""Holds replies to what an OpenAPI document says of them: says how many, or which are otherwise."""

import json
import sys

import jsonschema_rs

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
document, validators, wrong = given["document"], {}, []
for case in given["cases"]:
    query = case["query"]
    if query not in validators:
        schema = {
            "$ref": f"#/components/responses/{query}/content/application~1json/schema",
            "components": document["components"],
        }
        validators[query] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    errors = [f"{list(error.instance_path)}: {error.message}" for error in validators[query].iter_errors(case["reply"])]
    if bool(errors) == case["valid"]:
        wrong.append(f"{case['of']}: {errors[:3] or 'anything will do'}")
if wrong:
    sys.exit("\n".join(wrong))
print(len(given["cases"]))
