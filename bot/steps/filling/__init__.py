"""Filling: the step that asks a form in conversation, one question at a time, and loses nothing.

    step.Filling    which messages are for the form; a question is let through, and `after` repeats the form's
    answering       an answer, several answers, a change, back, skip
    opening         consent, what is known already, going on, resume codes, how far one is
    closing         the review, handing in, putting aside, giving up, deleting
    scene, words    what is said, and how a message is read

A confirmed answer is in the database before the next question is asked. What was asked last is kept with the
turn (`Conversation.form`), so that a message that comes again after a crash answers the same question again.
The history keeps personal answers masked (`Reply.kept`).
"""

from bot.steps.filling.step import Filling

__all__ = ["Filling"]
