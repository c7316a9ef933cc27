"""The web: a chat page, a JSON and server-sent-events API, health and metrics. Made by `app.create_app`.

identity    who is asking: a signed cookie or bearer token, and nothing else
talk        one message in, one kept turn out; what the page and the API share
views       turns as the page and the API show them
markdown    the small Markdown of replies, to safe HTML
timeline    the milestones as an SVG, and the state of the notice today
pages, api  the addresses
events      staff answers and other devices' turns, pushed to open pages
limits, problems, middleware, metrics    what protects and what watches
"""
