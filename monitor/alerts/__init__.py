"""What verdicts mean for people: the life of an alert, the incident, the message as data. Pure."""
