using System.Text.Json.Nodes;
using Kintsugi.Postgres.Repairs.Rows;

namespace Kintsugi.Engine.Tests.Healing;

/// <summary>A batch of rows means the same when it is read back from its journal, also from that of an earlier build.</summary>
public sealed class RowBatchTests
{
    private static readonly RowBatch Batch = new()
    {
        Tables = [new TableName("public", "we;ird\"\tname", "owner")],
        Rows =
        [
            new BatchRow(0, "(1,2)", "700", "ab12", RowFate.Set, 0, true) { Own = [new Assignment("a\tb", "'x\ny'")] },
            new BatchRow(0, "(1,3)", "701", "cd34", RowFate.Remove, 1, false),
        ],
    };

    [Fact]
    public void Comes_back_as_it_was_written()
    {
        var back = Read(Batch.ToArguments("rule"));

        Assert.Equal(Batch.Tables, back.Tables);
        AssertSame(back);
    }

    [Fact]
    public void Comes_back_from_the_lists_of_an_earlier_build()
    {
        var arguments = new Dictionary<string, string>(Batch.ToArguments("rule"))
        {
            ["rows"] = new JsonArray(
                new JsonArray("0", "(1,2)", "700", "ab12", "Set", "0", "accused", new JsonArray(new JsonArray("a\tb", "'x\ny'")).ToJsonString()),
                new JsonArray("0", "(1,3)", "701", "cd34", "Remove", "1", "", "")).ToJsonString(),
        };

        AssertSame(Read(arguments));
    }

    private static RowBatch Read(IReadOnlyDictionary<string, string> arguments) =>
        RowBatch.From(new Step("rows", "") { Lock = "Share", Why = "", Arguments = arguments });

    private static void AssertSame(RowBatch back)
    {
        Assert.Equal(Batch.Rows.Select(row => row with { Own = [] }), back.Rows.Select(row => row with { Own = [] }));
        Assert.Equal(Batch.Rows.SelectMany(row => row.Own), back.Rows.SelectMany(row => row.Own));
    }
}
