"""gunicorn reads this file by itself: gunicorn wsgi:app."""

bind = "unix:/run/shop/gunicorn.sock"
workers = 2
# The master imports the app once, and its workers share the memory. Each worker reads the settings
# again when it begins, and has a thread of its own that follows the others.
preload_app = True
