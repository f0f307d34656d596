using Microsoft.Extensions.Logging;

namespace Kintsugi.Web.Api;

/// <summary>Events of the HTTP interface; ids from 7000.</summary>
internal static partial class WebLog
{
    [LoggerMessage(7001, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void Failed(ILogger log, Exception problem, string method, string path);
}
