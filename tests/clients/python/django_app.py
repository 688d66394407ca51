"""Django: migrate, the ORM, inspectdb."""

import io
import sys
import types

import django
from django.apps import AppConfig
from django.conf import settings
from django.core.management import call_command
from django.db import models

from steps import HOST, PASSWORD, PORT, SCHEMA, USER, equal, step

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "HOST": HOST,
            "PORT": PORT,
            "USER": USER,
            "PASSWORD": PASSWORD,
            "NAME": SCHEMA,
            "OPTIONS": {"charset": "utf8mb4"},
        }
    },
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402  (needs the settings)
from django.db import connection, transaction  # noqa: E402


@step("migrate")
def migrate():
    call_command("migrate", verbosity=0, interactive=False)
    call_command("migrate", verbosity=0, interactive=False)


@step("migrations are known")
def showmigrations():
    text = io.StringIO()
    call_command("showmigrations", stdout=text, no_color=True)
    assert "[ ]" not in text.getvalue(), text.getvalue()


@step("ORM")
def orm():
    ada = User.objects.create_user("ada", "ada@example.com", "secret")
    bob = User.objects.create_user("zoë 😀", "zoe@example.com", "secret")
    staff = Group.objects.create(name="staff")
    ada.groups.add(staff)
    equal([u.username for u in User.objects.filter(groups__name="staff")], ["ada"])
    equal(User.objects.filter(pk__in=[ada.pk, bob.pk]).count(), 2)
    equal(User.objects.aggregate(most=models.Max("id"))["most"], bob.pk)
    User.objects.filter(pk=ada.pk).update(first_name="Ada")
    equal(User.objects.get(username="ada").first_name, "Ada")
    assert ada.check_password("secret")


@step("transaction")
def atomic():
    try:
        with transaction.atomic():
            Group.objects.create(name="gone")
            raise ValueError
    except ValueError:
        pass
    assert not Group.objects.filter(name="gone").exists()
    with transaction.atomic():
        Group.objects.create(name="kept")
        try:
            with transaction.atomic():
                Group.objects.create(name="kept")
        except django.db.IntegrityError:
            pass
    equal(Group.objects.filter(name="kept").count(), 1)


@step("bulk")
def bulk():
    Group.objects.bulk_create([Group(name=f"g{n}") for n in range(200)])
    equal(Group.objects.filter(name__startswith="g").count(), 200)
    equal(sum(1 for _ in Group.objects.filter(name__startswith="g").iterator(chunk_size=50)), 200)


@step("inspectdb")
def inspectdb():
    text = io.StringIO()
    call_command("inspectdb", stdout=text, no_color=True)
    source = text.getvalue()
    for expected in ("class AuthUser(", "class AuthGroup(", "managed = False", "db_table = 'auth_user'"):
        assert expected in source, source[:400]
    assert "Unable to inspect" not in source, source[:400]
    assert "models.ForeignKey(" in source, "no foreign keys were seen"


@step("lost connection")
def lost():
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        number = cursor.fetchone()[0]
    from django.db import connections

    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute(f"KILL {number}")
    other.close()
    connection.close_if_unusable_or_obsolete()
    try:
        User.objects.count()
    except django.db.OperationalError:
        connection.close()
    equal(User.objects.count(), 2)
