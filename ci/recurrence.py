"""Prints recurrence rules in time zones, and their dates within a span, as python-dateutil expands them, one rule a line: the start in
local time, the zone, the rule, the span and the dates in UTC."""

import datetime as dateutils_clock
import random
import warnings
from datetime import datetime, timedelta

from dateutil import tz
from dateutil.rrule import rrulestr
from dateutil.zoneinfo import get_zonefile_instance

# dateutil accepts COUNT together with UNTIL, which limits the search here, and warns.
warnings.simplefilter("ignore")

# dateutil looks for the first date of a rule up to this year, and only then at UNTIL.
dateutils_clock.MAXYEAR = 2045

RULES = 4000
DATES_MAX = 5
# Zones whose clocks change by an hour, by half an hour, at midnight, in the south, on other days, and never. These are part of
# python-dateutil, which knows their changes up to 2037.
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Asia/Kolkata"]
CHANGES = [3, 4, 9, 10, 11]
UNTIL_MAX = datetime(2037, 1, 1)
DAYS = {"YEARLY": 10 * 365, "MONTHLY": 4 * 365, "WEEKLY": 2 * 365, "DAILY": 365, "HOURLY": 40}
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
                   # In the days before week 1, dateutil takes a last year of 52 weeks for one of 53, and the reverse.
                   [("BYWEEKNO", some(signed(51)))], [("BYWEEKNO", some(range(1, 52))), weekdays], [month_days, weekdays]],
        "MONTHLY": [[], [weekdays], [counted], [month_days], [month_days, weekdays]],
        "WEEKLY": [[], [weekdays]],
        "DAILY": [[], [weekdays], [month_days]],
        "HOURLY": [[], [weekdays], [month_days]],
    }
    return draw.choice(choices[frequency])


def rule(frequency, hours):
    parts = [("FREQ", frequency)]
    if draw.random() < 0.5:
        parts.append(("INTERVAL", draw.randint(2, 5)))
    by = day_parts(frequency)
    if draw.random() < 0.3:
        by.append(("BYMONTH", some(range(1, 13))))
    if draw.random() < 0.2:
        by.append(("BYHOUR", some(range(hours))))
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


def utc(local, zone):
    """The instant of a local time: the first if it is repeated, and if it is skipped as if the clock had not changed."""
    return tz.resolve_imaginary(local.replace(tzinfo=zone)).astimezone(tz.UTC).replace(tzinfo=None)


def drawn_start(near_changes):
    start = datetime(2018, 1, 1) + timedelta(days=draw.randrange(2_000), seconds=draw.randrange(86_400))
    if near_changes:
        start = start.replace(month=draw.choice(CHANGES), day=draw.randint(1, 28), hour=draw.randrange(4))
    return start


def line():
    frequency, name = draw.choice(list(DAYS)), draw.choice(ZONES)
    zone = get_zonefile_instance().get(name)
    # Most clocks change at night.
    near_changes = draw.random() < 0.5
    start = drawn_start(near_changes)
    first = start + timedelta(days=draw.randrange(DAYS[frequency]) * draw.choice([0, 1, 1]))
    last = first + timedelta(days=DAYS[frequency] // 5)
    parts = rule(frequency, 4 if near_changes else 24)
    ends = draw.choice(["", "", "COUNT", "UNTIL"])
    if ends == "COUNT":
        parts.append((ends, draw.randint(1, 200)))
    written = ";".join(f"{name}={joined(value) if isinstance(value, list) else value}" for name, value in parts)
    # Some days more than the span: a local day is not that of UTC.
    limited = f"{written};UNTIL={shown(last + timedelta(days=2))}"
    locals = rrulestr(limited, dtstart=start).between(first - timedelta(days=2), last + timedelta(days=2), inc=True)
    first, last = utc(first, zone), utc(last, zone)
    assert last < UNTIL_MAX
    dates = sorted(utc(date, zone) for date in locals)
    dates = [date for date in dates if first <= date <= last]
    if ends == "UNTIL":
        # About the time of one of them: in local time it may be before and in UTC after it.
        until = draw.choice(dates or [last]) + timedelta(minutes=draw.randint(-90, 90))
        written += f";UNTIL={shown(until)}Z"
        dates = [date for date in dates if date <= until]
    if len(dates) > DATES_MAX:
        last = dates[DATES_MAX - 1]
        dates = [date for date in dates if date <= last]
    return " ".join([shown(start), name, written, shown(first), shown(last), *map(shown, dates)])


printed = 0
while printed < RULES:
    try:
        print(line())
    except ValueError:
        # An hourly rule of which dateutil sees that it never takes place.
        continue
    printed += 1
