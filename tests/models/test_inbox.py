from tests.models.inbox import Reacting
from tests.models.schedule import patient, settings

TestReacting = patient(Reacting.TestCase)
TestReacting.settings = settings(40)
