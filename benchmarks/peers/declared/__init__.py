"""An app of Django's, where django-content-settings looks for declarations."""
