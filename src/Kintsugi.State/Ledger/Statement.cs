using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>A statement that is run many times: parsed once, its values set anew each time.</summary>
internal sealed class Statement : IDisposable
{
    private readonly SqliteCommand command;

    /// <param name="names">Its parameters, in the order in which <see cref="Run"/> is given their values.</param>
    public Statement(SqliteConnection connection, string sql, params ReadOnlySpan<string> names)
    {
        command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in names)
            command.Parameters.AddWithValue(name, DBNull.Value);
    }

    public void Run(params ReadOnlySpan<string?> values)
    {
        for (var index = 0; index < values.Length; index++)
            command.Parameters[index].Value = (object?)values[index] ?? DBNull.Value;
        command.ExecuteNonQuery();
    }

    public void Dispose() => command.Dispose();
}
