"""Prints recurrence rules and their dates within a span, as python-dateutil expands them, one rule a line."""

import datetime as dateutils_clock
import random
import warnings
from datetime import datetime, timedelta

from dateutil.rrule import rrulestr

# dateutil accepts COUNT together with UNTIL, which limits the search here, and warns.
warnings.simplefilter("ignore")

# dateutil looks for the first date of a rule up to this year, and only then at UNTIL.
dateutils_clock.MAXYEAR = 2045

RULES = 1000
DATES_MAX = 6
DAYS = {"YEARLY": 12 * 365, "MONTHLY": 4 * 365, "WEEKLY": 2 * 365, "DAILY": 365, "HOURLY": 40}
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
draw = random.Random(5545)


def some(values, most=3):
    return sorted(draw.sample(values, draw.randint(1, most)))


def signed(most):
    return [number for number in range(-most, most + 1) if number != 0]


def joined(values):
    return ",".join(str(value) for value in values)


def day_parts(frequency):
    """Returns the parts that select days, as RFC 5545 allows them with this frequency."""
    weekdays = ("BYDAY", some(WEEKDAYS))
    counted = ("BYDAY", sorted({f"{draw.choice(signed(4))}{day}" for day in some(WEEKDAYS)}))
    month_days = ("BYMONTHDAY", some(signed(31)))
    choices = {
        "YEARLY": [[], [weekdays], [counted], [month_days], [("BYYEARDAY", some(signed(366)))],
                   [("BYWEEKNO", some(signed(53)))], [("BYWEEKNO", some(range(1, 54))), weekdays], [month_days, weekdays]],
        "MONTHLY": [[], [weekdays], [counted], [month_days], [month_days, weekdays]],
        "WEEKLY": [[], [weekdays]],
        "DAILY": [[], [weekdays], [month_days]],
        "HOURLY": [[], [weekdays], [month_days]],
    }
    return draw.choice(choices[frequency])


def rule(frequency):
    parts = [("FREQ", frequency)]
    if draw.random() < 0.5:
        parts.append(("INTERVAL", draw.randint(2, 5)))
    by = day_parts(frequency)
    if draw.random() < 0.3:
        by.append(("BYMONTH", some(range(1, 13))))
    if draw.random() < 0.2:
        by.append(("BYHOUR", some(range(24))))
    if draw.random() < 0.2:
        by.append(("BYMINUTE", some(range(60))))
    if draw.random() < 0.1:
        by.append(("BYSECOND", some(range(60))))
    # In the week of the start, dateutil counts positions from the start.
    if by and frequency != "WEEKLY" and draw.random() < 0.25:
        by.append(("BYSETPOS", some(signed(4), 2)))
    if draw.random() < 0.3:
        parts.append(("WKST", draw.choice(WEEKDAYS)))
    return parts + by


def shown(time):
    return time.strftime("%Y%m%dT%H%M%S")


def line():
    frequency = draw.choice(list(DAYS))
    start = datetime(2020, 1, 1) + timedelta(days=draw.randrange(4_000), seconds=draw.randrange(86_400))
    first = start + timedelta(days=draw.randrange(DAYS[frequency]) * draw.choice([0, 1, 1]))
    last = first + timedelta(days=DAYS[frequency] // 5)
    parts, until = rule(frequency), last
    match draw.randrange(4):
        case 0:
            parts.append(("COUNT", draw.randint(1, 200)))
        case 1:
            until = start + timedelta(days=draw.randrange(DAYS[frequency]), seconds=draw.randrange(86_400))
            parts.append(("UNTIL", shown(until)))
    written = ";".join(f"{name}={joined(value) if isinstance(value, list) else value}" for name, value in parts)
    limited = written if "UNTIL=" in written else f"{written};UNTIL={shown(last)}"
    dates = rrulestr(limited, dtstart=start).between(first, last, inc=True)
    if len(dates) > DATES_MAX:
        dates = dates[:DATES_MAX]
        last = dates[-1]
    return " ".join([shown(start), written, shown(first), shown(last), *map(shown, dates)])


printed = 0
while printed < RULES:
    try:
        print(line())
    except ValueError:
        # An hourly rule of which dateutil sees that it never takes place.
        continue
    printed += 1
