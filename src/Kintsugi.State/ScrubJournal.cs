using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Kintsugi.State;

/// <summary>
/// Which pieces of a scrub are proven while it runs, a line each, in a file of the state directory: whatever ends it, the next one goes on behind them.
/// It is removed when the scrub has come to its end.
/// </summary>
public sealed class ScrubJournal : IScrubJournal, IDisposable
{
    private const string Mark = "kintsugi.scrub/1";

    /// <summary>What was proven longer ago is proven again.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    private readonly string path;
    private readonly FileStream file;
    private readonly Dictionary<string, DateTimeOffset> proven;
    private readonly Lock gate = new();

    private ScrubJournal(string path, FileStream file, Dictionary<string, DateTimeOffset> proven)
    {
        this.path = path;
        this.file = file;
        this.proven = proven;
    }

    /// <summary>Pieces that the interrupted scrub has proven.</summary>
    public int Count => proven.Count;

    /// <param name="directory">The state directory.</param>
    /// <param name="server">The system identifier.</param>
    /// <param name="words">What the scrub was asked to look at: another question is another scrub.</param>
    /// <param name="resume">Go on with the interrupted one; otherwise what it had proven is forgotten.</param>
    /// <param name="now">What was proven too long before is forgotten.</param>
    /// <returns>Null when the same scrub runs in another process.</returns>
    /// <exception cref="StateException">The file cannot be written.</exception>
    public static ScrubJournal? Open(StateDirectory directory, string server, string words, bool resume, DateTimeOffset now)
    {
        var path = Path.Combine(directory.Path, $"scrub-{server}-{Hash(words)[..8]}.progress");
        try
        {
            var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0, UnixCreateMode = PrivateFile.Mode,
            });
            var proven = resume ? Read(file, now) : [];
            if (proven.Count == 0)
            {
                file.SetLength(0);
                file.Write(Encoding.ASCII.GetBytes($"{Mark}\n"));
            }
            return new ScrubJournal(path, file, proven);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"how far the check has come cannot be kept in {path}: {problem.Message}", problem);
        }
    }

    public DateTimeOffset? ProvenAt(string check, Portion piece) =>
        proven.TryGetValue(PieceKey.Of(check, piece), out var at) ? at : null;

    public void Enter(string check, Portion piece, DateTimeOffset at)
    {
        if (piece.Relation is null)
            return;
        var key = PieceKey.Of(check, piece);
        if (proven.ContainsKey(key))
            return;
        var line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{key} {at.ToUnixTimeMilliseconds()}\n"));
        lock (gate)
            file.Write(line);
    }

    /// <summary>The scrub has come to its end: there is nothing to go on with.</summary>
    public void Complete() => File.Delete(path);

    public void Dispose() => file.Dispose();

    /// <summary>The last line may be torn, and what is no line of ours says nothing.</summary>
    private static Dictionary<string, DateTimeOffset> Read(FileStream file, DateTimeOffset now)
    {
        var proven = new Dictionary<string, DateTimeOffset>();
        using var reader = new StreamReader(file, Encoding.ASCII, leaveOpen: true);
        var text = reader.ReadToEnd();
        if (!text.StartsWith($"{Mark}\n", StringComparison.Ordinal))
            return proven;
        var whole = text.LastIndexOf('\n') + 1;
        file.SetLength(whole);
        file.Seek(0, SeekOrigin.End);
        foreach (var line in text[..whole].Split('\n').Skip(1))
            if (line.Split(' ') is [{ Length: 32 } key, var at] && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var ms)
                && DateTimeOffset.FromUnixTimeMilliseconds(ms) is var moment && now - moment < Kept)
                proven[key] = moment;
        return proven;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
