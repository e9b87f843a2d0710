"""What operators look after: status, audit, replay and the events that go by."""
