"""Prints the figures of all peers side by side, with the ratio of ours to each."""

import json
import sys

# Where less is better, the ratio is the peer's figure over ours: more than 1 is always in our favour.
LESS_IS_BETTER = ("µs", "bytes", "lost")


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"


def cell(case, value, ours):
    if value is None:
        return "-"
    better, worse = (value, ours) if any(w in case for w in LESS_IS_BETTER) else (ours, value)
    ratio = f" ({better / worse:,.1f}×)" if worse and value is not ours else ""
    return number(value) + ratio


def main():
    figures, peers, notes = {}, [], {}
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            peer, case, value = line["peer"], line["case"], line["value"]
            if case == "note":
                peers.append(peer)
                notes[peer] = value
            else:
                figures.setdefault(case, {})[peer] = value
    rows = [["", *peers]]
    for case, values in figures.items():
        rows.append([case, *(cell(case, values.get(peer), values["ours"]) for peer in peers)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = (text.rjust(width) for text, width in zip(row, widths))
        print(row[0].ljust(widths[0]), *rest, sep="  ")
    print("\nIn parentheses: how many times better ours is.")
    for peer in peers:
        print(f"{peer}: {notes[peer]}")


if __name__ == "__main__":
    main()
