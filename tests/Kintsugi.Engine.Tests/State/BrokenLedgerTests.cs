using Kintsugi.State;
using Microsoft.Data.Sqlite;
using Xunit;
using static Kintsugi.Engine.Tests.State.StateFolder;

namespace Kintsugi.Engine.Tests.State;

public sealed class BrokenLedgerTests : IDisposable
{
    private readonly StateFolder folder = new();
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("garbage")]
    [InlineData("truncated")]
    [InlineData("empty")]
    public async Task A_broken_file_is_one_message_with_a_next_step_and_is_not_changed(string how)
    {
        await Fill(200);
        var bytes = await File.ReadAllBytesAsync(folder.State.Ledger, Token);
        bytes = how switch
        {
            "garbage" => [.. Enumerable.Range(0, 20000).Select(number => (byte)(number * 7))],
            "truncated" => bytes[..(bytes.Length / 2 / 4096 * 4096)],
            _ => [],
        };
        await File.WriteAllBytesAsync(folder.State.Ledger, bytes, Token);

        var problem = Assert.Throws<StateException>(() => folder.Open().Dispose());

        Assert.Contains(folder.State.Ledger, problem.Message);
        Assert.Contains("mv '", problem.Message);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(folder.State.Ledger, Token));
    }

    [Theory]
    [InlineData("update facts set summary = 'nothing happened' where number = 3", "fact 3")]
    [InlineData("update facts set data = '{}' where number = 3", "data of fact 3")]
    [InlineData("delete from facts where number = 3", "fact 3 is missing")]
    [InlineData("delete from facts where number = 5", "5 facts were recorded, 4 are there")]
    [InlineData("update cases set state = 'healed'", "listed otherwise")]
    public async Task Tampering_is_found(string sql, string told)
    {
        await Fill(5);
        await Execute("drop trigger facts_are_never_changed; drop trigger facts_are_never_deleted");
        await Execute(sql);

        await using var ledger = folder.Open();
        var flaws = await ledger.Verify(Token);

        Assert.Contains(flaws, flaw => flaw.Contains(told, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("update facts set summary = ''")]
    [InlineData("delete from facts")]
    public async Task Facts_cannot_be_changed_by_plain_statements(string sql)
    {
        await Fill(2);

        var refusal = await Assert.ThrowsAsync<SqliteException>(() => Execute(sql));

        Assert.Contains("append-only", refusal.Message);
    }

    [Fact]
    public async Task A_damaged_page_in_the_middle_is_found_by_verify()
    {
        await Fill(2000);
        await using (var file = new FileStream(folder.State.Ledger, FileMode.Open))
        {
            file.Position = file.Length / 4096 / 2 * 4096;
            await file.WriteAsync(new byte[4096], Token);
        }

        await using var ledger = folder.Open();
        IReadOnlyList<string> flaws;
        try
        {
            flaws = await ledger.Verify(Token);
        }
        catch (StateException problem)
        {
            flaws = [problem.Message];
        }

        Assert.NotEmpty(flaws);
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await Fill(1);
        await Execute("pragma user_version = 999");

        var problem = Assert.Throws<StateException>(() => folder.Open().Dispose());

        Assert.Contains("written by a newer Kintsugi (schema 999", problem.Message);
    }

    [Fact]
    public async Task Somebody_elses_database_is_refused_and_left_alone()
    {
        await using (var other = new SqliteConnection($"Data Source={folder.State.Ledger};Pooling=False"))
        {
            await other.OpenAsync(Token);
            await using var command = other.CreateCommand();
            command.CommandText = "create table photos (id integer)";
            await command.ExecuteNonQueryAsync(Token);
        }
        var before = await File.ReadAllBytesAsync(folder.State.Ledger, Token);

        var problem = Assert.Throws<StateException>(() => folder.Open().Dispose());

        Assert.Contains("not a ledger of Kintsugi", problem.Message);
        Assert.Equal(before, await File.ReadAllBytesAsync(folder.State.Ledger, Token));
    }

    private async Task Fill(int facts)
    {
        await using var ledger = folder.Open();
        for (var number = 0; number < facts; number++)
            await ledger.Append(Found($"case {number}"), Token);
    }

    private async Task Execute(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={folder.State.Ledger};Pooling=False");
        await connection.OpenAsync(Token);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Token);
    }
}
