SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  // The models are at each operation already.
  defaultModelsExpandDepth: -1,
  // Nobody outside is asked whether the document is valid.
  validatorUrl: null,
});
