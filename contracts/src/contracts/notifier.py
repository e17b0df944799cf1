"""What notifier says: how each notification ended."""

from uuid import UUID

from contracts.envelope import Event
from contracts.values import Text


class NotificationFact(Event):
    """The end of one message to one recipient, named by an id and never by an address.

    `caused_by` is the `topic/key/sequence` of the event that caused it.
    """

    notification_id: UUID
    recipient: Text
    channel: Text
    template: Text
    caused_by: Text


class NotificationDelivered(NotificationFact, topic="notifier.notifications", key="notification_id"):
    """The channel took the message."""


class NotificationUndelivered(NotificationFact, topic="notifier.notifications", key="notification_id"):
    """The message will not be delivered."""

    reason_code: Text
