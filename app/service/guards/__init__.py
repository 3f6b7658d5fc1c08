"""What every request has to pass before any application code sees it: plain ASGI wrappers, outermost first.

last_resort → origin (Host, Origin, CORS) → token → body (size and time). Slow headers and slow readers are the
business of `app.service.connection`.
"""
