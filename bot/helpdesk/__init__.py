"""The staff console at /helpdesk: the queue, answers, knowledge, forms, figures.

    app         mount(): the admin site with its pages and lists
    console     what every page is given: service, time, roles, the audit log
    access      accounts, login, sessions, one-time passwords
    headers     content security policy and the nonces of scripts
    queue, ticket        the queue, and the work on one ticket
    answers     a staff answer as each channel shows it, and what is wrong with it
    learning    staff answers that become knowledge, and their collisions
    recall      who was told what, and the correction sent to them
    forms       submissions, drafts, exports
    dashboard, charts, digest   figures
    lists       starlette-admin's own lists

The console imports no channel: what it sends goes through the outbox.
"""
