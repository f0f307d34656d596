using Kintsugi.Hosting;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>A node that slept while another took its place does no step any more.</summary>
public sealed class FencedRoomTests
{
    private static readonly DateTimeOffset Day = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_step_is_begun_with_a_number_that_another_node_has_outrun()
    {
        var home = Directory.CreateTempSubdirectory("kintsugi-fence-").FullName;
        using (var store = ServiceFile.Open(Path.Combine(home, "service.db")))
        {
            var nodes = new NodeBook(store);
            using var turn = new PatientTurn(nodes, "patient:1", nodes.Hold("patient:1", "a", Day, Day.AddSeconds(10))!.Value);
            var inner = new CountingRoom();
            var room = new FencedRoom(inner, turn);
            await using var operation = await room.Enter("app", Stop);
            var step = new Step("sql", "SELECT 1") { Lock = "AccessShare", Why = "a test" };
            var plan = new Plan("test", [step]) { Case = "case", Alters = [], Snapshot = SnapshotGrade.None };
            await operation.Run(plan, step, new Dictionary<string, string>(), Stop);
            Assert.Equal(1, inner.Steps);

            Assert.NotNull(nodes.Hold("patient:1", "b", Day.AddSeconds(11), Day.AddSeconds(21)));
            var kept = await Assert.ThrowsAsync<TurnLostException>(() =>
                operation.Run(plan, step, new Dictionary<string, string>(), Stop).AsTask());
            Assert.Contains("another node has taken over", kept.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<TurnLostException>(() => operation.Remember(step, Stop).AsTask());
            await Assert.ThrowsAsync<TurnLostException>(() => operation.CleanUp(step, new Dictionary<string, string>(), Stop).AsTask());
            await Assert.ThrowsAsync<TurnLostException>(() => room.Enter("app", Stop).AsTask());
            Assert.Equal(1, inner.Steps);
        }
        Directory.Delete(home, recursive: true);
    }

    private sealed class CountingRoom : IOperatingRoom, IOperation
    {
        public int Steps { get; private set; }

        public ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken) => ValueTask.FromResult<IOperation>(this);

        public ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

        public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

        public ValueTask<StepResult> Run(Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
        {
            Steps++;
            return ValueTask.FromResult(new StepResult());
        }

        public ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken) =>
            ValueTask.FromResult<string?>(null);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
