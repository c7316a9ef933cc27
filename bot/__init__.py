"""The assistant.

The way of a message:

    channel -> Message -> Assistant.handle -> steps, in order; the first Reply wins -> saved -> Reply -> channel
                                              commanding · filling · answering · escalating

Words, the same in code, tables, docs and the console:

    pack                  everything about one round of one programme (a folder under `knowledge/packs/`)
    document, clause      a source text and its smallest citable piece, with the path of its headings
    milestone             a dated duty: who, what, opens, closes, where, which clause
    threshold             a numeric requirement with the clause that sets it
    topic                 one thing that people ask, with sample questions and a template or an engine
    engine                code that computes an answer
    message, reply        what comes in from a channel, what goes back; the status is of a closed set
    citation              document title, clause path, the clause's text
    conversation, profile one person's thread; what is known of them
    ticket                an unanswered question in the queue, with everybody who asked it
    draft, submission     a form being filled, a form handed in; its receipt is a telephone-safe reference
    promoted answer       a staff answer that became a topic
    outbox, delivery      replies waiting to be sent later, and what became of each
"""
