"""The code that carries events and emails, on servers made of dictionaries, in schedules that nobody would think of."""
