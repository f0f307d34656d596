using Kintsugi.State;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kintsugi.Engine.Tests.State;

public sealed class FileCopyTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("kintsugi-copy-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Every_way_of_copying_gives_the_same_bytes(bool clone, bool kernel)
    {
        foreach (var length in new[] { 0, 1, 8192, (9 << 20) + 17 })
        {
            var bytes = new byte[length];
            new Random(length).NextBytes(bytes);

            var copied = await Copy(bytes, new FileCopy(new Throttle(null, TimeProvider.System)) { MayClone = clone,
                MayCopyInKernel = kernel });

            Assert.Equal(bytes, copied);
        }
    }

    [Fact]
    public async Task A_throttled_copy_takes_as_long_as_its_rate_says()
    {
        var clock = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.Zero };
        var throttle = new Throttle(1 << 20, clock);
        var waiting = throttle.Passed(3 << 20, Token).AsTask();
        clock.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(waiting.IsCompleted);

        clock.Advance(TimeSpan.FromSeconds(0.2));

        await waiting.WaitAsync(TimeSpan.FromSeconds(10), Token);
    }

    private async Task<byte[]> Copy(byte[] bytes, FileCopy copy)
    {
        var (from, to) = (Path.Combine(root, "from"), Path.Combine(root, "to"));
        await File.WriteAllBytesAsync(from, bytes, Token);
        File.Delete(to);
        using (var source = File.OpenHandle(from))
        using (var target = File.OpenHandle(to, FileMode.CreateNew, FileAccess.ReadWrite))
            Assert.Equal(bytes.Length, await copy.Copy(source, target, Token));
        return await File.ReadAllBytesAsync(to, Token);
    }
}
