"""SQLAlchemy: its first statements on a connection, an ORM session, a pool that notices lost connections, reflection."""

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from steps import HOST, PASSWORD, PORT, SCHEMA, USER, equal, step

URL = sa.URL.create("mysql+pymysql", USER, PASSWORD, HOST, PORT, SCHEMA, {"charset": "utf8mb4"})
engine = sa.create_engine(URL, pool_pre_ping=True)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id = mapped_column(sa.BigInteger, primary_key=True)
    name = mapped_column(sa.String(80, collation="utf8mb4_bin"), nullable=False)
    paid = mapped_column(sa.Numeric(10, 2))


class Region(Base):
    __tablename__ = "regions"
    id = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    name = mapped_column(sa.String(20), unique=True)


@step("create all")
def create_all():
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS users")
        connection.exec_driver_sql("DROP TABLE IF EXISTS regions")
        connection.exec_driver_sql("DROP TABLE IF EXISTS t1")
    Base.metadata.create_all(engine)


@step("session")
def session():
    with Session(engine) as work:
        people = [User(name=name, paid=number) for number, name in enumerate(["Ada", "Zoë 😀", "Bob"])]
        work.add_all(people)
        work.add(Region(id=1, name="north"))
        work.commit()
        assert all(person.id > 0 for person in people)
        people[0].paid = 99
        work.commit()
        names = work.scalars(sa.select(User.name).order_by(User.id)).all()
        equal(names, ["Ada", "Zoë 😀", "Bob"])
        equal(work.scalar(sa.select(sa.func.count()).select_from(User)), 3)
        equal(work.get(User, people[0].id).paid, 99)
        work.delete(people[2])
        work.rollback()
        equal(len(work.scalars(sa.select(User).where(User.id.in_([p.id for p in people]))).all()), 3)


@step("pool after a lost connection")
def lost():
    with engine.connect() as one:
        number = one.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
    with sa.create_engine(URL, poolclass=sa.NullPool).connect() as other:
        other.exec_driver_sql(f"KILL {number}")
    with engine.connect() as one:
        equal(one.exec_driver_sql("SELECT 1").scalar(), 1)


@step("streaming")
def streaming():
    with engine.connect().execution_options(stream_results=True) as connection:
        equal([row.name for row in connection.execute(sa.select(User.name).order_by(User.id))][0], "Ada")


@step("reflect table names")
def names():
    inspector = sa.inspect(engine)
    assert {"users", "regions"} <= set(inspector.get_table_names()), inspector.get_table_names()
    assert inspector.has_table("users") and not inspector.has_table("no_such_table")
    assert SCHEMA in inspector.get_schema_names()
    equal(inspector.get_view_names(), [])


@step("reflect columns")
def columns():
    found = {column["name"]: column for column in sa.inspect(engine).get_columns("users")}
    equal(list(found), ["id", "name", "paid"])
    assert isinstance(found["paid"]["type"], sa.Numeric) and found["id"]["autoincrement"]


@step("reflect keys")
def keys():
    inspector = sa.inspect(engine)
    equal(inspector.get_pk_constraint("users")["constrained_columns"], ["id"])
    equal([index["column_names"] for index in inspector.get_indexes("regions")], [["name"]])
    equal(inspector.get_foreign_keys("users"), [])
    equal([unique["column_names"] for unique in inspector.get_unique_constraints("regions")], [["name"]])


@step("reflect all")
def everything():
    metadata = sa.MetaData()
    metadata.reflect(engine, only=["users", "regions"])
    equal(set(metadata.tables), {"users", "regions"})
    with engine.connect() as connection:
        users = metadata.tables["users"]
        equal(connection.execute(sa.select(users).order_by(users.c.id)).fetchone().name, "Ada")


@step("drop all")
def drop_all():
    Base.metadata.drop_all(engine)
    assert not sa.inspect(engine).has_table("users")
