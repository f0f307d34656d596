using Kintsugi.Configuration;

namespace Kintsugi.Hosting;

/// <summary>Brings alerts to receivers of one kind.</summary>
public interface IAlertSender
{
    bool Serves(Receiver receiver);

    /// <exception cref="AlertRefusedException">The receiver was not reached, or did not take it.</exception>
    ValueTask Send(Receiver receiver, Alert alert, CancellationToken cancellationToken);
}

/// <summary>A receiver did not take a message.</summary>
/// <param name="forGood">It never will: it understood and said no.</param>
public sealed class AlertRefusedException(string message, bool forGood, Exception? inner = null) : Exception(message, inner)
{
    public bool ForGood { get; } = forGood;
}
