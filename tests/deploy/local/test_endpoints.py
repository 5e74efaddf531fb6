"""URLs of other databases, virtual hosts and users on the same server."""

from deploy.local.endpoints import PostgresEndpoint, RabbitmqEndpoint

POSTGRES = PostgresEndpoint("postgresql://postgres:top@127.0.0.1:5433/postgres")
RABBITMQ = RabbitmqEndpoint("amqp://admin:top@127.0.0.1:5673/", "http://admin:top@127.0.0.1:15673")


def test_another_database_keeps_the_superuser() -> None:
    assert POSTGRES.database("helpdesk") == "postgresql://postgres:top@127.0.0.1:5433/helpdesk"


def test_another_role_logs_in_with_its_own_password() -> None:
    url = POSTGRES.login("helpdesk", "importer_ui", "a/b@c")
    assert url == "postgresql://importer_ui:a%2Fb%40c@127.0.0.1:5433/helpdesk"


def test_another_virtual_host_is_escaped() -> None:
    assert RABBITMQ.vhost("a/b") == "amqp://admin:top@127.0.0.1:5673/a%2Fb"


def test_another_user_logs_in_to_a_virtual_host() -> None:
    assert RABBITMQ.login("helpdesk", "importer_fetcher", "pw") == (
        "amqp://importer_fetcher:pw@127.0.0.1:5673/helpdesk"
    )
