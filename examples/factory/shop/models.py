"""The models of the shop."""

from __future__ import annotations

from flask_login import UserMixin

from .extensions import db, login_manager


class User(UserMixin, db.Model):  # type: ignore[misc, name-defined]
    id = db.Column(db.String(80), primary_key=True)  # the name, which the history shows
    password = db.Column(db.String(255), nullable=False)  # its hash
    role = db.Column(db.String(20), nullable=False)


@login_manager.user_loader
def load_user(id: str) -> User | None:
    return db.session.get(User, id)


def add_user(id: str, password: str, role: str) -> None:
    db.session.add(User(id=id, password=password, role=role))
    db.session.commit()
