using System.Data.Common;

namespace Kintsugi.State;

/// <summary>
/// A statement that is run many times with other values. Where each run is a round trip, many go together: what was run is done when
/// <see cref="Flush"/> returns.
/// </summary>
internal sealed class Statement : IDisposable
{
    /// <summary>So many rows go in one round trip.</summary>
    private const int Together = 500;

    private readonly string sql;
    private readonly string[] names;
    private readonly DbCommand? command;
    private readonly DbBatch? batch;

    /// <param name="names">Its parameters, in the order in which <see cref="Run"/> is given their values.</param>
    public Statement(DbConnection connection, string sql, params ReadOnlySpan<string> names)
    {
        (this.sql, this.names) = (sql, names.ToArray());
        if (connection.CanCreateBatch)
        {
            batch = connection.CreateBatch();
            return;
        }
        command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in names)
            command.Parameters.Add(Sql.Parameter(command, name, null));
    }

    public void Run(params ReadOnlySpan<string?> values)
    {
        if (batch is null)
        {
            for (var index = 0; index < values.Length; index++)
                command!.Parameters[index].Value = (object?)values[index] ?? DBNull.Value;
            command!.ExecuteNonQuery();
            return;
        }
        var one = batch.CreateBatchCommand();
        one.CommandText = sql;
        for (var index = 0; index < values.Length; index++)
        {
            var parameter = one.CreateParameter();
            (parameter.ParameterName, parameter.DbType, parameter.Value) = (names[index], System.Data.DbType.String, (object?)values[index] ?? DBNull.Value);
            one.Parameters.Add(parameter);
        }
        batch.BatchCommands.Add(one);
        if (batch.BatchCommands.Count >= Together)
            Flush();
    }

    public void Flush()
    {
        if (batch is null or { BatchCommands.Count: 0 })
            return;
        batch.ExecuteNonQuery();
        batch.BatchCommands.Clear();
    }

    public void Dispose()
    {
        command?.Dispose();
        batch?.Dispose();
    }
}
