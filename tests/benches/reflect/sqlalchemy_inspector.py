"""How long SQLAlchemy takes to read what `tables.sql` made: the seconds of each of several runs, as JSON.

Its fastest way is asked for: the Inspector's bulk methods, which give plain dictionaries. `MetaData.reflect()` makes tables of
these. The connection is there already, and each run starts with nothing remembered.
"""

import json
import sys
import time

from sqlalchemy import MetaData, create_engine, inspect

url, runs = sys.argv[1], int(sys.argv[2])


def inspector(connection):
    what = inspect(connection)
    columns = what.get_multi_columns()
    return {
        "tables": len(columns),
        "columns": sum(map(len, columns.values())),
        "primary_keys": sum(bool(key["constrained_columns"]) for key in what.get_multi_pk_constraint().values()),
        "foreign_keys": sum(map(len, what.get_multi_foreign_keys().values())),
        "unique_constraints": sum(map(len, what.get_multi_unique_constraints().values())),
        "checks": sum(map(len, what.get_multi_check_constraints().values())),
        "indexes": sum(map(len, what.get_multi_indexes().values())),
        "comments": sum(bool(comment["text"]) for comment in what.get_multi_table_comment().values()),
    }


def metadata(connection):
    tables = MetaData()
    tables.reflect(connection)
    return {"tables": len(tables.tables), "columns": sum(len(table.columns) for table in tables.tables.values())}


def timed(read, connection):
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        found = read(connection)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "found": found}


with create_engine(url).connect() as connection:
    print(json.dumps({"inspector": timed(inspector, connection), "metadata": timed(metadata, connection)}))
