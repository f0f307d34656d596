using System.Data;
using System.Data.Common;
using System.Globalization;

namespace Kintsugi.State;

/// <summary>
/// Statements on our own memory, in words that SQLite and PostgreSQL both know, and its words for time: UTC, ISO 8601, seven digits, so that
/// text order is time order and a hash over it is the same everywhere.
/// </summary>
internal static class Sql
{
    public static int Run(DbConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(connection, sql, parameters);
        return command.ExecuteNonQuery();
    }

    public static long Number(DbConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(connection, sql, parameters);
        return command.ExecuteScalar() is long number ? number : 0;
    }

    public static List<T> Rows<T>(
        DbConnection connection, string sql, Func<DbDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(connection, sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    public static string Time(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    public static DateTimeOffset Time(string at) =>
        DateTimeOffset.Parse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    public static string? TimeOrNull(DateTimeOffset? at) => at is { } time ? Time(time) : null;

    public static DateTimeOffset? TimeOrNull(this DbDataReader row, int column) => row.TextOrNull(column) is { } at ? Time(at) : null;

    public static string? TextOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>Both servers of ours count in 64 bits.</summary>
    public static int Whole(this DbDataReader row, int column) => checked((int)row.GetInt64(column));

    /// <summary>Runs a command that was made once with other values, in the order of its parameters.</summary>
    public static void Again(DbCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
        command.ExecuteNonQuery();
    }

    public static DbCommand Command(DbConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.Add(Parameter(command, name, value));
        return command;
    }

    /// <summary>An absent value is an absent text: PostgreSQL wants to know what kind of nothing it is.</summary>
    public static DbParameter Parameter(DbCommand command, string name, object? value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = (name, value switch { null => DBNull.Value, int number => (long)number, _ => value });
        parameter.DbType = parameter.Value is long ? DbType.Int64 : DbType.String;
        return parameter;
    }
}
