"""What is found in code: for each rule a table of what is wrong, and one of what is right."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

import pytest

from waffleconf_admin.lint import Report

Check = Callable[..., Report]

HEAD = """\
import flask
import waffleconf_admin
from flask import Flask, current_app
from waffleconf_admin import conf
from waffleconf_admin import conf as settings
app = Flask(__name__)
shop = Flask("shop")
class Shop(waffleconf_admin.Settings): pass
waffle = waffleconf_admin.WaffleConf()
"""
READ = "reads = ['SITENAME', 'PAGE_SIZE', 'API_TOKEN', 'WORKERS']\n"


def found(check: Check, code: str, rule: str) -> list[str]:
    report = check({"shop.py": HEAD + READ + textwrap.dedent(code)})
    assert not [remark for remark in report.remarks if "not read" in remark.text], report.remarks
    return [finding.text for finding in report.findings if finding.rule == rule]


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("conf.SITENAM", "SITENAM"),
        ("settings.SITENAM", "SITENAM"),
        ("waffleconf_admin.conf.SITENAM", "SITENAM"),
        ("conf['SITENAM']", "SITENAM"),
        ("getattr(conf, 'SITENAM')", "SITENAM"),
        ("getattr(conf, 'SITENAM', None)", "SITENAM"),
        ("state.parse_conf(['PAGE_SIZE', 'SITENAM'])", "SITENAM"),
        ("app.config['SITENAM']", "SITENAM"),
        ("app.config['SITE_NAME']", "SITE_NAME"),
        ("app.config['SITNEAME']", "SITNEAME"),
        ("state.parse_conf()['SITENAM']", "SITENAM"),
        ("app.config.get('SITENAMES')", "SITENAMES"),
        ("app.config.get('SITE_NAME', 1)", "SITE_NAME"),
        ("app.config.get('SITNEAME', 1)", "SITNEAME"),
        ("app.config.get('sitename', 1)", "sitename"),
        ("current_app.config['SITENAM']", "SITENAM"),
        ("flask.current_app.config['SITENAM']", "SITENAM"),
        ("shop.config['SITENAM']", "SITENAM"),
        ("self.app.config['SITENAM']", "SITENAM"),
        ("current_app._get_current_object().config['SITENAM']", "SITENAM"),
        ("create_app().config['SITENAM']", "SITENAM"),
        ("Shop.SITENAM", "SITENAM"),
        ("Shop.now().SITENAM", "SITENAM"),
        ("waffle.state.update_db({'SITENAM': 1, 'PAGE_SIZE': 2})", "SITENAM"),
        ("app.extensions['waffleconf'].update_db({'SITENAM': 1})", "SITENAM"),
        ("state.reset(['PAGE_SIZE', 'SITENAM'])", "SITENAM"),
        ("self.waffle.state.reset(['SITENAM'])", "SITENAM"),
        ("waffle.on_change('PAGE_SIZE', 'SITENAM')", "SITENAM"),
        ("override_conf(SITENAM=1, app=app)", "SITENAM"),
        ("override_conf({'SITENAM': 1})", "SITENAM"),
        ("pytest.mark.override_conf(SITENAM=1)", "SITENAM"),
    ],
)
def test_a_misspelt_name_is_found_with_the_nearest(
    check: Check, expression: str, name: str
) -> None:
    sentences = found(check, f"def view(self): return {expression}\n", "unknown")
    (sentence,) = sentences
    assert sentence.startswith(f"{name} is not declared")
    assert sentence.endswith("Did you mean SITENAME?")


@pytest.mark.parametrize(
    "code",
    [
        "from .shop import Shop\ndef f(): return Shop.SITENAM",
        "from shop import Shop\ndef f(): return Shop.SITENAM",
        "from . import shop\nfrom .shop import Shop as S\ndef f(): return S.now().SITENAM",
        "from .shop import Shop\ndef f():\n    s = Shop.now()\n    return s.SITENAM",
        "from .shop import Shop\ndef f(s: Shop): return s.SITENAM",
        "from .shop import Shop\nasync def f(*, s: Shop): return s.SITENAM",
    ],
)
def test_a_class_of_settings_is_known_where_it_is_imported(check: Check, code: str) -> None:
    (finding,) = check({"view.py": READ + code}).findings
    assert finding.text == "SITENAM is not declared. Did you mean SITENAME?"


def test_of_conf_every_unknown_name_is_found(check: Check) -> None:
    assert found(check, "def view(): return conf.TAX_RATE", "unknown") == [
        "TAX_RATE is not declared."
    ]


@pytest.mark.parametrize(
    "code",
    [
        "def view(): return app.config['UPLOAD_FOLDER']",  # its own key, like no setting
        "def view(): return app.config.get('SENTRY_DSN')",
        "def view(): return app.config['SECRET_KEY']",
        "app.config['SITENAM'] = 1\ndef view(): return app.config['SITENAM']",
        "app.config.setdefault('SITENAM', 1)\ndef view(): return app.config['SITENAM']",
        "app.config.update(SITENAM=1)\ndef view(): return app.config['SITENAM']",
        "app.config.from_mapping({'SITENAM': 1})\ndef view(): return app.config['SITENAM']",
        "class Config:\n    SITENAM = 1\ndef view(): return app.config['SITENAM']",
        "def view():\n    if 'SITENAM' in app.config:\n        return app.config['SITENAM']",
        "def view(conf): return conf.SITENAM",  # another conf
        "def view():\n    conf = load()\n    return conf.SITENAM",
        "def view(): return [conf.SITENAM for conf in load()]",
        "def view(self): return self.config['SITENAM']",  # of who knows what
        "def view(config): return config['SITENAM']",
        "from other import conf\ndef view(): return conf.SITENAM",
        "def view(): return conf.__class__",
        "def view(): return 'SITENAM' in conf",
        "def view(): return Shop.title(), Shop.now().SUFFIX, Shop.__name__",
        "from other import Shop\ndef view(): return Shop.SITENAM",
        "def view():\n    class Shop: pass\n    return Shop.SITENAM",
        "def view(s: Other): return s.SITENAM",
        "def view(form): form.reset(['SITENAM']), form.update_db({'SITENAM': 1})",
        "def view(game): game.state.reset(['SITENAM']), game_state.reset(['SITENAM'])",
        "@observer.on_change('SITENAM')\ndef view(): pass",
        "def view(keys): state.reset(keys), state.update_db({**keys, keys[0]: 1})",
        "def view(): current_app.config['TAX_RATE'] = 3",
    ],
)
def test_no_name_is_found_that_may_be_right(check: Check, code: str) -> None:
    assert found(check, code, "unknown") == []


@pytest.mark.parametrize("name", ["SITENAMES", "SITENAM", "SITEGAME"])
def test_an_optional_read_of_a_word_that_is_near_is_a_remark(check: Check, name: str) -> None:
    line = f"{READ}name = app.config.get({name!r}, 5)"
    report = check({"shop.py": HEAD + line})
    (remark,) = report.remarks
    text = f"{name} is not declared, and nothing sets it. Did you mean SITENAME?"
    assert (report.findings, remark.text) == ([], text)

    silenced = check({"shop.py": f"{HEAD}{line}  # waffle: ignore[unknown]"})
    assert (silenced.findings, silenced.remarks) == ([], [])


def test_a_short_name_is_no_misspelling_of_another(check: Check) -> None:
    code = "def view(): return app.config['PAGE_SITE_X'], app.config['APE_TOKENS']"
    assert found(check, code, "unknown") == []


@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("SITENAME = conf.SITENAME", "at module level"),
        ("SITENAME = app.config['SITENAME']", "at module level"),
        ("name = f'{app.config.get(\"SITENAME\")}!'", "at module level"),
        ("with app.app_context():\n    name = conf.SITENAME", "at module level"),
        ("config = app.config\nname = config['SITENAME']", "at module level"),
        ("name = Shop.now().SITENAME", "at module level"),
        ("name = Other.now().SITENAME", "at module level"),
        ("name = Shop.SITENAME", "at module level"),
        ("def view(title=Shop.SITENAME): pass", "as a default argument"),
        ("name = waffle.state.parse_conf()['SITENAME']", "at module level"),
        ("name = waffle.state.parse_conf(['SITENAME'])['SITENAME']", "at module level"),
        ("if app.config['SITENAME']:\n    shop.register()", "at module level"),
        ("app.logger.setLevel(app.config['SITENAME'])", "at module level"),
        ("cache.info(app.config['SITENAME'])", "at module level"),
        ("class Page:\n    title: str = conf.SITENAME", "in a class body"),
        ("class Page:\n    class Inner:\n        title = conf.SITENAME", "in a class body"),
        ("def view(title=conf.SITENAME): pass", "as a default argument"),
        ("async def view(*, title=conf.SITENAME): pass", "as a default argument"),
        ("view = lambda title=conf.SITENAME: title", "as a default argument"),
        ("class Page:\n    def f(self, title=conf.SITENAME): pass", "as a default argument"),
        ("@limit(app.config['SITENAME'])\ndef view(): pass", "as an argument of a decorator"),
        ("@titled(conf.SITENAME)\nclass Page: pass", "as an argument of a decorator"),
        (
            "def view(): celery.config_from_object(app.config['SITENAME'])",
            "into another configuration",
        ),
        ("def f(): other.config.from_object(conf.SITENAME)", "into another configuration"),
        ("def f(): app.config.update(NAME=app.config['SITENAME'])", "into another configuration"),
        ("def f(): app.config['NAME'] = conf.SITENAME", "into another configuration"),
        (
            """
            def create_app():
                app = Flask(__name__)
                limit(app.config["SITENAME"])
                return app
            """,
            "where the app is made",
        ),
        (
            """
            def create_app():
                app = Flask(__name__)
                @app.route(app.config["SITENAME"])
                def view(): pass
            """,
            "as an argument of a decorator",
        ),
    ],
)
def test_a_copy_that_cannot_follow_is_found(check: Check, code: str, where: str) -> None:
    sentence = f"SITENAME is copied {where}, where it can't follow changes."
    assert found(check, code, "copied") == [sentence]


@pytest.mark.parametrize(
    "code",
    [
        "def view(): return conf.SITENAME",
        "async def view(): return conf.SITENAME",
        "name = lambda: conf.SITENAME",
        "@limit(lambda: conf.SITENAME)\ndef view(): pass",
        "class Page:\n    def title(self): return conf.SITENAME",
        "class Page:\n    title = property(lambda self: conf.SITENAME)",
        "def view():\n    def inner(name=conf.SITENAME): return name\n    return inner()",
        "def view():\n    class Page:\n        title = conf.SITENAME\n    return Page",
        "def create_app():\n    app = Flask('x')\n    @app.route('/')\n"
        "    def view(): return app.config['SITENAME']",
        "def create_app():\n    app = Flask('x')\n    with app.app_context(): print(conf.SITENAME)",
        "if __name__ == '__main__':\n    print(app.config['SITENAME'])",
        "print('starting', app.config['SITENAME'])",
        "log.info('starting %s', app.config['SITENAME'])",
        "app.logger.warning(app.config['SITENAME'])",
        "_LOGGER.debug(conf.SITENAME)",
        "assert app.config['SITENAME'] > 0, conf.SITENAME",
        "def create_app():\n    app = Flask('x')\n    print(app.config['SITENAME'])",
        "shop = Shop.now()\ndef view(): return shop.SITENAME",
        "@waffle.on_change('SITENAME')\ndef changed(event): pass",
        "override = override_conf(SITENAME=1)",
        "waffle.state.update_db({'SITENAME': 1})",
        "workers = app.config['WORKERS']",  # needs a restart, and says so
        "key = app.config['SECRET_KEY']",  # no setting
        "app.config['SITENAME'] = 1",
        "del app.config['SITENAME']",
        "now = datetime.now().year",
    ],
)
def test_no_copy_is_found_in_code_that_runs_again(check: Check, code: str) -> None:
    assert found(check, code, "copied") == []


@pytest.mark.parametrize(
    "code",
    [
        "conf.SHOPNAME",
        "conf['SHOPNAME']",
        "app.config['SHOPNAME']",
        "Shop.SHOPNAME",
        "state.update_db({'SHOPNAME': 1})",
        "state.reset(['SHOPNAME'])",
        "waffle.on_change('SHOPNAME')",
        "override_conf(SHOPNAME=1)",
    ],
)
def test_a_former_name_is_found(check: Check, code: str) -> None:
    code = f"def view(): return {code}"
    assert found(check, code, "renamed") == ["SHOPNAME is the former name of SITENAME."]
    assert found(check, code, "unknown") == []


@pytest.mark.parametrize(
    "code",
    [
        "conf.SITENAME = 3",
        "def view(): conf.SITENAME = 3",
        "def view(): conf.SITENAME += 3",
        "def view(): conf['SITENAME'] = 3",
        "def view(): conf.SHOPNAME = 3",
        "def view(): Shop.now().SITENAME = 3",
        "def view(): current_app.config['SITENAME'] = 4",
        "def view(): flask.current_app.config['SITENAME'] = 4",
        "def create_app():\n    app = Flask('x')\n    @app.route('/')\n"
        "    def view(): current_app.config['SITENAME'] = 4",
    ],
)
def test_an_assigned_setting_is_found(check: Check, code: str) -> None:
    assert found(check, code, "assigned") == ["SITENAME is assigned: save it with update_db."]
    assert found(check, code, "copied") == []


@pytest.mark.parametrize(
    "code",
    [
        "app.config['SITENAME'] = 4",
        "with app.app_context():\n    current_app.config['SITENAME'] = 4",
        "def configure(app): app.config['SITENAME'] = 4",
        "def create_app():\n    app = Flask('x')\n    app.config['SITENAME'] = 4\n"
        "    with app.app_context(): current_app.config['SITENAME'] = 4",
        "def view(): current_app.config['SECRET_KEY'] = 4",  # no setting
        "def view(conf): conf.SITENAME = 4",
        "def view(): del current_app.config['SITENAME']",
    ],
)
def test_what_may_configure_an_app_is_no_such_finding(check: Check, code: str) -> None:
    assert found(check, code, "assigned") == []


@pytest.mark.parametrize(
    "code",
    [
        "conf.SITENAME.append(1)",
        "conf['SITENAME'].sort()",
        "conf.SITENAME['mon'].append(1)",
        "conf.SITENAME['mon'] = 1",
        "conf.SITENAME['mon'] += 1",
        "conf.SITENAME[1:] = []",
        "del conf.SITENAME['mon']",
        "settings.SITENAME.update(a=1)",
        "Shop.now().SITENAME.add(1)",
        "waffle.state.parse_conf()['SITENAME'].pop()",
        "def view(): current_app.config['SITENAME'].append(1)",
        "def view(): current_app.config['SITENAME']['mon']['am'] = 1",
        "def view(): current_app.config.get('SITENAME', []).append(1)",
        "def view(): conf.SHOPNAME.clear()",
    ],
)
def test_a_value_that_is_changed_in_place_is_found(check: Check, code: str) -> None:
    expected = ["SITENAME is changed in place: save a new value with update_db."]
    assert found(check, code, "mutated") == expected
    assert found(check, code, "assigned") == []


@pytest.mark.parametrize(
    "code",
    [
        "conf.SITENAME.copy().append(1)",
        "conf.SITENAME.index(1)",
        "[*conf.SITENAME].append(1)",
        "conf['SITENAME'] = 1",  # assigned
        "def view(): current_app.config.pop('SITENAME')",
        "def view(): current_app.config['OTHER'].append(1)",
        "app.config['SITENAME'].append(1)",  # configures the app
        "def view(conf): conf.SITENAME.append(1)",
        "rows['SITENAME'].append(1)",
    ],
)
def test_no_change_in_place_is_found_where_no_value_of_a_setting_changes(
    check: Check, code: str
) -> None:
    assert found(check, code, "mutated") == []


CONFIG = """\
class Config:
    PAGE_SIZE = 10
    HALF = PAGE_SIZE // 2
PAGE_SIZE = 10
"""


def constants(check: Check, code: str, config: str = CONFIG) -> list[str]:
    """What is found in the module views.py of a package beside its config.py."""
    files = {"__init__.py": "", "config.py": config, "views.py": HEAD + code}
    report = check({f"stall/{name}": text for name, text in files.items()})
    found = [finding for finding in report.findings if finding.rule == "constant"]
    assert {finding.path.rpartition("/")[2] for finding in found} <= {"views.py"}
    return [re.sub(r"at \S*stall/", "at ", finding.text) for finding in found]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("from .config import Config\ndef view(): return Config.PAGE_SIZE", 2),
        ("from .config import Config\nPER_PAGE = Config.PAGE_SIZE", 2),
        ("from .config import Config as C\ndef view(n=C.PAGE_SIZE): pass", 2),
        ("from stall.config import Config\nget('n', default=Config.PAGE_SIZE)", 2),
        ("from . import config\ndef view(): return config.PAGE_SIZE", 4),
        ("from . import config\ndef view(): return config.Config.PAGE_SIZE", 2),
        ("import stall.config\ndef view(): return stall.config.PAGE_SIZE", 4),
        ("import stall.config as c\ndef view(): return c.PAGE_SIZE", 4),
        ("from .config import PAGE_SIZE\ndef view(): return PAGE_SIZE", 4),
        ("from .config import PAGE_SIZE as n\nprint(n)", 4),
    ],
)
def test_a_constant_that_is_read_in_place_of_the_setting_is_found(
    check: Check, code: str, line: int
) -> None:
    expected = f"PAGE_SIZE is read from the constant at config.py:{line}, not from the setting."
    assert constants(check, code) == [expected]


def test_a_constant_of_the_module_itself_is_found_where_functions_read_it(check: Check) -> None:
    code = "PAGE_SIZE = 10\nHALF = PAGE_SIZE / 2\ndef view(): return PAGE_SIZE"
    assert len(constants(check, code)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "from .config import Config\nCONFS = {'PAGE_SIZE': {'default': Config.PAGE_SIZE}}",
        "from .config import Config\nCONFS = dict(PAGE_SIZE=dict(default=Config.PAGE_SIZE))",
        "from .config import Config\nclass Own(Shop): PAGE_SIZE: int = setting(Config.PAGE_SIZE)",
        "from .config import Config\napp.config.from_object(Config)",
        "from .config import Config\ndef view(): return Config.HALF",
        "from .config import Config\ndef view(Config): return Config.PAGE_SIZE",
        "from .config import PAGE_SIZE\ndef view(PAGE_SIZE): return PAGE_SIZE",
        "from .other import Config\ndef view(): return Config.PAGE_SIZE",
        "def view(): return Shop.PAGE_SIZE",
        "def view(self): return self.PAGE_SIZE",
        "PAGE_SIZE = conf.PAGE_SIZE\ndef view(): return PAGE_SIZE",  # copied
        "PAGE_SIZE = {'default': 10}\nCONFS = {'PAGE_SIZE': PAGE_SIZE}",
    ],
)
def test_no_constant_is_found_that_stands_for_no_setting(check: Check, code: str) -> None:
    assert constants(check, code) == []
