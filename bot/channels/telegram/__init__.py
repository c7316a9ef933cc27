"""Telegram: Update -> Message, Reply -> sendMessage and sendDocument, and nothing that is not the platform's.

    update -> reading.read -> turns.Turns (one chat in order, chats in parallel) -> Assistant.handle
           -> rendering.parts -> sending.Sender -> Telegram -> marked as processed -> acknowledged

    service     `running(service, app)`: polling, or the webhook's route on the app; the loops below
    reading     what an update says: text, edit, press of a button, a photo, who and where
    rendering   the replies' small Markdown as Telegram HTML, cut below the limit; keyboards
    sending     calls with growing pauses, flood limits obeyed, who cannot be reached any more
    turns       one update from beginning to end, once
    delivering  the outbox's loop: staff answers, reminders, receipts
    reminding   asking for reminders, and the loop that sends them
    menu        commands and descriptions

The library's `Application` is not used: it acknowledges updates before they are handled and keeps its
state in files of its own. Here an update is acknowledged when its reply is out, and all state is in
`bot.store`. Nothing here is imported unless a token is set.
"""
