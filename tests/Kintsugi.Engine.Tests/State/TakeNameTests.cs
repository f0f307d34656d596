using Kintsugi.State;

namespace Kintsugi.Engine.Tests.State;

public sealed class TakeNameTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kintsugi-names-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Of_many_that_want_one_name_at_once_one_gets_it_and_nobody_replaces_it()
    {
        const int rivals = 8;
        for (var round = 0; round < 200; round++)
        {
            var path = Path.Combine(folder, $"name-{round}");
            using var start = new Barrier(rivals);
            var winners = new bool[rivals];
            var threads = Enumerable.Range(0, rivals).Select(rival => new Thread(() =>
            {
                var draft = $"{path}.new-{rival}";
                File.WriteAllText(draft, $"{rival}");
                start.SignalAndWait(TestContext.Current.CancellationToken);
                winners[rival] = LinuxFiles.TakeName(draft, path);
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());

            Assert.Equal(1, winners.Count(won => won));
            Assert.Equal($"{Array.IndexOf(winners, true)}", File.ReadAllText(path));
            Assert.Equal([path], Directory.GetFiles(folder, $"name-{round}*").Where(file => file == path || file.StartsWith(path + ".", StringComparison.Ordinal)));
        }
    }
}
