"""How an importer stands, and what of it needs a person: the one answer behind `status`, metrics and alarms.

    standing = await look(database_dsn, broker)        # shared.standing.look: within two seconds, whoever is away
    for need in needs(standing): ...                   # shared.standing.needs: pure

`recorded` is what the database says, `broker` what RabbitMQ's management API says, `work` how far long work is.
"""
