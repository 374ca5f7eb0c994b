"""Rows of every kind, as `import` reads them."""

import json
import random

random.seed(7)
texts = ["plain", "a, b; \"c\"", "line\nbreak", "東京 ünïcode", "", "5", "null"]
for series in range(5):
    for row in range(40_000):
        value = {
            "celsius": round(random.uniform(-20, 40), 2),
            "count": random.randrange(-(2**63), 2**63) if row % 50 == 0 else row,
            "on": row % 3 == 0,
            "note": random.choice(texts),
            "wind": {"gust": None if row % 7 == 0 else random.random()},
        }
        if row % 11 == 0:
            del value["on"]
        if row % 13 == 0:
            value["tags"] = ["a", row]
        line = {
            "record_name": f"weather.station-{series}",
            "stored_at": 1_795_867_200_000 + row * 997,
            "version": 1 + row % 2,
            "value": value,
        }
        print(json.dumps(line, ensure_ascii=False))
