# The same by somebody who watches the memory: only the ids are kept.
import json
import sys


def ids_in(path):
    with open(path, encoding="utf-8") as file:
        return {json.loads(line)["transaction_id"] for line in file}


print(len(ids_in(sys.argv[1]) - ids_in(sys.argv[2])))
