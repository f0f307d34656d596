using System.Globalization;

namespace Kintsugi.Postgres.Connecting;

/// <summary>Pairs hosts, addresses and ports as connectOptions2 of libpq does: lists of one length, or one port for all.</summary>
internal static class HostList
{
    public const int DefaultPort = 5432;

    /// <summary>Debian's and Red Hat's compiled default, then the one of the sources.</summary>
    public static readonly IReadOnlyList<string> SocketDirectories = ["/var/run/postgresql", "/tmp"];

    public static IReadOnlyList<ServerAddress> Resolve(OptionValues values, IConnectionFiles files)
    {
        var names = values.Get("host")?.Split(',');
        var addresses = values.Get("hostaddr")?.Split(',');
        var count = addresses?.Length ?? names?.Length ?? 1;
        if (addresses is not null && names is not null && names.Length != addresses.Length)
        {
            throw new ConnectionSettingsException(
                $"There are {names.Length} hosts (from {values.Origin("host")}) but {addresses.Length} host addresses "
                + $"(from {values.Origin("hostaddr")}). Give one address for each host, or leave the addresses out.");
        }

        var ports = Ports(values, count);
        return [.. Enumerable.Range(0, count).Select(i => At(
            addresses?[i].Trim() ?? "", names?[i].Trim() ?? "", ports[ports.Count == 1 ? 0 : i], files))];
    }

    private static ServerAddress At(string address, string name, int port, IConnectionFiles files)
    {
        if (address.Length > 0)
        {
            return new(address, name.Length > 0 ? name : address, port);
        }

        var host = name.Length > 0 ? name : Default(port, files);
        return new(host, host, port);
    }

    /// <summary>The socket directory that has this port's socket; without any, the machine itself by TCP.</summary>
    private static string Default(int port, IConnectionFiles files) =>
        SocketDirectories.FirstOrDefault(directory => files.Exists($"{directory}/.s.PGSQL.{port}")) ?? "localhost";

    private static List<int> Ports(OptionValues values, int hosts)
    {
        if (!values.TryGet("port", out var text))
        {
            return [DefaultPort];
        }

        var ports = text.Split(',').Select(port => Port(port.Trim(), values.Origin("port"))).ToList();
        return ports.Count == 1 || ports.Count == hosts
            ? ports
            : throw new ConnectionSettingsException(
                $"There are {ports.Count} ports (from {values.Origin("port")}) but {hosts} hosts (from {values.Origin("host")}). "
                + "Give one port for all hosts, or one for each.");
    }

    private static int Port(string text, string origin)
    {
        if (text.Length == 0)
        {
            return DefaultPort;
        }

        // A password with an unescaped "/" ends up here, so what was read is not repeated unless it is a number.
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var port))
        {
            throw new ConnectionSettingsException(
                $"The port from {origin} is not a whole number. Give one from 1 to 65535; "
                + "in a connection URI, percent-code @ : / ? % in the password.");
        }

        return port is >= 1 and <= 65535
            ? port
            : throw new ConnectionSettingsException($"The port {port} from {origin} is not between 1 and 65535. Give the server's port.");
    }
}
