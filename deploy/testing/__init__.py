"""Real servers for the tests, wherever they can be had."""
