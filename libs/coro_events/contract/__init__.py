"""What travels: events, their data, their bodies and topics, with pydantic alone."""
