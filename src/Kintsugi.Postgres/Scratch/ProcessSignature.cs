using System.Globalization;

namespace Kintsugi.Postgres.Scratch;

/// <summary>A process id is used again; together with the time of its start (proc(5), field 22 of stat) it is not.</summary>
internal static class ProcessSignature
{
    public static string Own => Of(Environment.ProcessId);

    public static string Of(int pid)
    {
        var file = $"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat";
        var start = File.Exists(file) ? File.ReadAllText(file).Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[19] : "gone";
        return $"{pid.ToString(CultureInfo.InvariantCulture)} {start}";
    }

    /// <summary>Whether the process that signed so still lives.</summary>
    public static bool IsAlive(string signature) =>
        int.TryParse(signature.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Of(pid) == signature;
}
