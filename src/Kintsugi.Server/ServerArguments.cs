using System.Net;
using Kintsugi.Configuration;
using Kintsugi.Hosting;
using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Server;

/// <summary>The few flags of the daemon: where its configuration is, where it listens, and the connection as psql takes it.</summary>
internal sealed record ServerArguments(KintsugiServiceOptions Options, ListenEndpoint? Listen)
{
    /// <exception cref="UsageException">An option that is not known, or without its value.</exception>
    public static ServerArguments Read(string[] args)
    {
        var options = new KintsugiServiceOptions();
        options = options with { ConfigurationFile = options.Around.Variable("KINTSUGI_CONFIG") is { Length: > 0 } named ? named : null };
        ListenEndpoint? listen = null;
        for (var at = 0; at < args.Length; at++)
        {
            var (name, value) = args[at].Split('=', 2) is [{ } option, { } text] && option.StartsWith("--", StringComparison.Ordinal)
                ? (option, text)
                : (args[at], at + 1 < args.Length ? args[++at] : throw new UsageException($"{args[at]} needs a value"));
            var request = options.Request;
            switch (name)
            {
                case "-c" or "--config":
                    options = options with { ConfigurationFile = value };
                    break;
                case "--listen":
                    listen = IPEndPoint.TryParse(value, out var place) && place.Port > 0 ? new ListenEndpoint(place.Address, place.Port)
                        : throw new UsageException($"--listen takes ADDRESS:PORT, not \"{value}\"");
                    break;
                case "-h" or "--host":
                    options = options with { Request = request with { Host = value } };
                    break;
                case "-p" or "--port":
                    options = options with { Request = request with { Port = value } };
                    break;
                case "-U" or "--username":
                    options = options with { Request = request with { User = value } };
                    break;
                case "-d" or "--dbname":
                    options = options with { Request = request with { Databases = [.. request.Databases, value] } };
                    break;
                case "--grace":
                    options = options with
                    {
                        Grace = int.TryParse(value.TrimEnd('s'), out var seconds) && seconds is >= 0 and <= 3600 ? TimeSpan.FromSeconds(seconds)
                            : throw new UsageException($"--grace takes seconds, 0 to 3600, not \"{value}\""),
                    };
                    break;
                default:
                    throw new UsageException($"there is no option {name}; there are: -c --listen -h -p -U -d --grace");
            }
        }
        return new ServerArguments(options, listen);
    }
}

/// <summary>It was asked for something that cannot be.</summary>
internal sealed class UsageException(string message) : Exception(message);
