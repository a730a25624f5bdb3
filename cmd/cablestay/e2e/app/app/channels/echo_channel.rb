# frozen_string_literal: true

# Answers, counts and remembers; it follows no stream.
class EchoChannel < ApplicationCable::Channel
  rescue_from ArgumentError do |error|
    transmit({ error: error.message })
  end

  def subscribed
    @greeting = "hello #{params[:name]}"
    @count = 0
    @since = Time.utc(2001, 2, 3, 4, 5, 6)
    @names = Set.new
    journal "subscribed"
  end

  def unsubscribed
    journal "unsubscribed", greeting: @greeting, count: @count, since: @since&.year, names: @names.to_a
  end

  def receive(data)
    transmit({ received: data })
  end

  def echo(data)
    transmit(data)
  end

  def greet
    transmit({ greeting: @greeting })
  end

  def count(data)
    @count += 1
    @names << data["name"]
    journal "performed", action: "count", count: @count
    transmit({ count: @count, names: @names.to_a, since: @since })
  end

  def visit
    transmit({ visits: connection.count_visit })
  end

  def identify
    transmit({ user: user, device: device, name: params[:name], keys: params.keys })
  end

  def seen
    transmit(connection.seen)
  end

  def burst(data)
    data["size"].times { |n| transmit({ n: n }) }
  end

  def wait(data)
    Gate.pass(data["gate"])
    transmit({ waited: data["gate"] })
  end

  def announce(data)
    transmit({ waiting: data["gate"] })
    journal "waiting"
    Gate.pass(data["gate"])
    transmit({ waited: data["gate"] })
  end

  def refuse
    raise ArgumentError, "refused"
  end

  def fail
    raise "this action always fails"
  end

  def leave
    connection.close(reason: "enough", reconnect: false)
  end

  private
    def secret
      transmit({ secret: true })
    end
end
