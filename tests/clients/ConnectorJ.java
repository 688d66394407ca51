// MariaDB Connector/J through JDBC.

import java.io.ByteArrayInputStream;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Properties;

public class ConnectorJ {
    interface Body {
        void run() throws Exception;
    }

    static void step(String name, Body body) {
        try {
            body.run();
            System.out.println("ok " + name);
        } catch (Throwable error) {
            String text = (error.getClass().getSimpleName() + ": " + error.getMessage()).replaceAll("\\s+", " ");
            System.out.println("not ok " + name + ": " + text.substring(0, Math.min(300, text.length())));
        }
    }

    static void equal(Object got, Object expected) {
        if (!String.valueOf(got).equals(String.valueOf(expected))) {
            throw new AssertionError(got + " is not " + expected);
        }
    }

    static void fails(int number, Body body) throws Exception {
        try {
            body.run();
        } catch (SQLException error) {
            equal(error.getErrorCode(), number);
            return;
        }
        throw new AssertionError("error " + number + " expected");
    }

    static String env(String name) {
        return System.getenv("CLIENT_" + name);
    }

    /** Options are pairs of a name and a value. */
    static Connection open(String... options) throws SQLException {
        Properties properties = new Properties();
        properties.put("user", env("USER"));
        properties.put("password", env("PASSWORD"));
        String port = env("PORT");
        for (int place = 0; place < options.length; place += 2) {
            if (options[place].equals("port")) {
                port = options[place + 1];
            } else {
                properties.put(options[place], options[place + 1]);
            }
        }
        return DriverManager.getConnection("jdbc:mariadb://" + env("HOST") + ":" + port + "/" + env("SCHEMA"), properties);
    }

    static String value(Connection db, String sql) throws SQLException {
        try (Statement statement = db.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    static int change(Connection db, String sql) throws SQLException {
        try (Statement statement = db.createStatement()) {
            return statement.executeUpdate(sql);
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (String entry : env("LOGINS").split(" ")) {
            String[] login = entry.split(":", -1);
            step("login " + login[0], () -> {
                // Without TLS caching_sha2_password needs the server's key, which this client asks for only if told.
                try (Connection db = open("port", login[1], "user", login[2], "password", login[3], "allowPublicKeyRetrieval", "true")) {
                    equal(value(db, "SELECT 1"), 1);
                }
            });
        }
        step("wrong password", () -> fails(1045, () -> open("password", "wrong")));
        step("TLS", () -> {
            try (Connection db = open("useSsl", "true", "serverSslCert", env("CA")); Statement statement = db.createStatement()) {
                ResultSet rows = statement.executeQuery("SHOW STATUS LIKE 'Ssl_cipher'");
                if (!rows.next() || rows.getString(2).isEmpty()) {
                    throw new AssertionError("not encrypted");
                }
            }
        });
        Connection db = open();
        step("tables", () -> {
            change(db, "DROP TABLE IF EXISTS users");
            change(db, "DROP TABLE IF EXISTS t1");
            change(db, "CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) CHARACTER SET utf8mb4, photo LONGBLOB)");
            change(db, "CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40))");
        });
        step("text statements", () -> values(db));
        step("prepared statements", () -> {
            try (Connection other = open("useServerPrepStmts", "true", "useBatchMultiSend", "true")) {
                values(other);
            }
        });
        step("transaction", () -> {
            db.setAutoCommit(false);
            change(db, "DELETE FROM users");
            db.rollback();
            equal(value(db, "SELECT COUNT(*) FROM users"), 6);
            db.setSavepoint("s");
            db.commit();
            db.setAutoCommit(true);
        });
        for (String rewrite : new String[] {"false", "true"}) {
            step("batch, rewritten " + rewrite, () -> {
                change(db, "DELETE FROM t1");
                try (Connection other = open("rewriteBatchedStatements", rewrite, "useBulkStmts", "true", "useServerPrepStmts", "true");
                        PreparedStatement insert = other.prepareStatement("INSERT INTO t1 (id, v) VALUES (?, ?)")) {
                    for (int number = 0; number < 1000; number++) {
                        insert.setInt(1, number);
                        insert.setString(2, "v" + number);
                        insert.addBatch();
                    }
                    equal(insert.executeBatch().length, 1000);
                }
                equal(value(db, "SELECT COUNT(*) FROM t1"), 1000);
            });
        }
        step("generated keys", () -> {
            try (PreparedStatement insert = db.prepareStatement("INSERT INTO users (name) VALUES ('a'), ('b')", Statement.RETURN_GENERATED_KEYS)) {
                insert.executeUpdate();
                ResultSet keys = insert.getGeneratedKeys();
                keys.next();
                equal(value(db, "SELECT name FROM users WHERE id = " + keys.getLong(1)), "a");
            }
        });
        step("8 MB blob", () -> blob(db));
        step("streaming", () -> {
            try (Statement statement = db.createStatement()) {
                statement.setFetchSize(10);
                ResultSet rows = statement.executeQuery("SELECT id FROM t1 ORDER BY id");
                int expected = 0;
                while (rows.next()) {
                    equal(rows.getInt(1), expected++);
                }
                equal(expected, 1000);
            }
        });
        step("several statements", () -> {
            try (Connection other = open("allowMultiQueries", "true"); Statement statement = other.createStatement()) {
                statement.execute("SELECT 1; SELECT 2");
                equal(statement.getMoreResults(), true);
                ResultSet rows = statement.getResultSet();
                rows.next();
                equal(rows.getInt(1), 2);
            }
        });
        step("compression", () -> {
            try (Connection other = open("useCompression", "true")) {
                equal(value(other, "SELECT LENGTH(REPEAT('x', 200000))"), 200000);
                equal(value(other, "SELECT REPEAT('x', 200000)").length(), 200000);
            }
        });
        step("database metadata", () -> metadata(db));
        step("errors", () -> {
            fails(1146, () -> value(db, "SELECT * FROM no_such_table"));
            fails(1062, () -> change(db, "INSERT INTO t1 VALUES (1, 'again')"));
            fails(1064, () -> change(db, "SELEC 1"));
        });
        step("query timeout", () -> {
            try (Statement statement = db.createStatement()) {
                statement.setQueryTimeout(1);
                statement.execute("SELECT SLEEP(5)");
            } catch (SQLException error) {
                equal(value(db, "SELECT 1"), 1);
                return;
            }
            throw new AssertionError("no timeout");
        });
        step("dropped connection", () -> {
            Connection victim = open();
            change(db, "KILL " + value(victim, "SELECT CONNECTION_ID()"));
            try {
                value(victim, "SELECT 1");
            } catch (SQLException error) {
                equal(victim.isValid(1), false);
                try (Connection again = open()) {
                    equal(value(again, "SELECT 1"), 1);
                }
                return;
            }
            throw new AssertionError("a killed connection answers");
        });
        db.close();
    }

    static void values(Connection db) throws SQLException {
        for (String name : new String[] {"Zoë 😀", "it's \\ \"", "名前"}) {
            long id;
            try (PreparedStatement insert = db.prepareStatement("INSERT INTO users (name) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                insert.setString(1, name);
                equal(insert.executeUpdate(), 1);
                ResultSet keys = insert.getGeneratedKeys();
                keys.next();
                id = keys.getLong(1);
            }
            try (PreparedStatement select = db.prepareStatement("SELECT name FROM users WHERE id = ?")) {
                select.setLong(1, id);
                ResultSet rows = select.executeQuery();
                rows.next();
                equal(rows.getString(1), name);
            }
        }
    }

    static void blob(Connection db) throws Exception {
        byte[] value = new byte[8 << 20];
        for (int place = 0; place < value.length; place++) {
            value[place] = (byte) place;
        }
        try (PreparedStatement insert = db.prepareStatement("INSERT INTO users (name, photo) VALUES ('blob', ?)")) {
            insert.setBinaryStream(1, new ByteArrayInputStream(value));
            insert.executeUpdate();
        }
        try (Statement statement = db.createStatement()) {
            ResultSet rows = statement.executeQuery("SELECT photo FROM users WHERE name = 'blob'");
            rows.next();
            if (!Arrays.equals(rows.getBytes(1), value)) {
                throw new AssertionError("another blob came back");
            }
        }
    }

    static void metadata(Connection db) throws SQLException {
        DatabaseMetaData about = db.getMetaData();
        StringBuilder columns = new StringBuilder();
        ResultSet rows = about.getColumns(env("SCHEMA"), null, "users", "%");
        while (rows.next()) {
            columns.append(rows.getString("COLUMN_NAME")).append(' ');
        }
        equal(columns.toString().trim(), "id name photo");
        rows = about.getPrimaryKeys(env("SCHEMA"), null, "users");
        rows.next();
        equal(rows.getString("COLUMN_NAME"), "id");
        rows = about.getTables(env("SCHEMA"), null, "users", null);
        equal(rows.next(), true);
    }
}
