"""The table of `make fresh`."""

from deploy.local.fresh import Findings, table


def test_what_was_not_reached_is_a_dash_and_columns_are_aligned() -> None:
    done = Findings("trixie", "Python 3.13.5, RabbitMQ 4.0.5, PostgreSQL 17.6")
    done.seconds |= {"first ticket": 41.6, "demo": 48.2, "first ticket again": 8.4, "demo again": 14.0, "test": 300.1}
    broken = Findings("bookworm")
    lines = table([broken, done])
    assert len(lines) == 3
    assert lines[1].split() == ["Debian", "12", *["-"] * 8]
    assert "42 s" in lines[2]
    assert lines[0].index("first ticket") == lines[2].index("42 s") == lines[1].index("-")
