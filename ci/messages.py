"""Checks messages, one JSON object a line, against their schema, and that a JUnit report has the counts of its test cases."""

import json
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import jsonschema

# What ci/messages makes every time.
EXPECTED = {"test", "shown", "plan", "written", "replayed", "error", "cause", "ran", "compared", "explored", "finished"}

schema, said, junit = (Path(path).read_text(encoding="utf-8") for path in sys.argv[1:])
schema = json.loads(schema)
jsonschema.Draft202012Validator.check_schema(schema)
reasons = Counter()
for number, line in enumerate(said.splitlines(), 1):
    message = json.loads(line)
    # Of the one definition, so that the error names what is wrong.
    reason = message.get("reason")
    if reason not in schema["$defs"]:
        sys.exit(f"message {number}: unknown reason {reason!r}")
    validator = jsonschema.Draft202012Validator({**schema, "oneOf": [{"$ref": f"#/$defs/{reason}"}]})
    for error in validator.iter_errors(message):
        best = jsonschema.exceptions.best_match([error])
        sys.exit(f"message {number} ({reason}): {best.json_path}: {best.message[:300]}")
    reasons[reason] += 1
if missing := EXPECTED - set(reasons):
    sys.exit(f"no message with the reasons {sorted(missing)}")

suites = ElementTree.fromstring(junit)
cases = len(suites.findall(".//testcase"))
if int(suites.get("tests")) != cases or cases == 0:
    sys.exit(f"the JUnit report says {suites.get('tests')} tests, and has {cases}")
print(f"{sum(reasons.values())} messages match their schema: {dict(reasons)}")
