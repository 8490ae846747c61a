"""Who is told: the relay that takes notifications from the outbox to Slack or to the console."""
