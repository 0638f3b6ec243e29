# The script that people write for the job: every line parsed, kept, two sets, their difference.
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    payments = [json.loads(line) for line in file]
with open(sys.argv[2], encoding="utf-8") as file:
    tickets = [json.loads(line) for line in file]
paid = {payment["transaction_id"] for payment in payments}
ticketed = {ticket["transaction_id"] for ticket in tickets}
print(len(paid - ticketed))
