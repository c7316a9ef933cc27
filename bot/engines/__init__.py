"""Code that computes an answer: milestones, eligibility, own figures, the guide; and the filling of templates.

An engine is `(Ask, Book) -> Answer`; the table `ENGINES` names them. Nothing here finds a topic,
keeps a conversation or talks to a channel.
"""
