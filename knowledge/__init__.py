"""What the assistant knows: documents, clauses, facts, rules and topics, and how they are found.

Nothing in here knows a person, a conversation, a channel or a database: `bot` may import
`knowledge`, never the reverse (import-linter keeps it).

    clauses      the parser that cuts an official document into its smallest citable pieces
    pack         the typed contents of one round's folder under `knowledge/packs/`
    milestones   dated duties as of any day          thresholds   figures against requirements
    eligibility  three-valued conditions             text         how a question is normalised
    encoder      sentences to vectors                index        the search over clauses and topics
"""
