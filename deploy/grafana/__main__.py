"""Write the dashboard to standard output: `python -m deploy.grafana > deploy/grafana/helpdesk-importer.json`."""

import sys

from deploy.grafana.dashboard import as_json

sys.stdout.write(as_json())
