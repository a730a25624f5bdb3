# frozen_string_literal: true

# Uses what a channel can reach through its connection, long after the handshake.
class ConnectionChannel < ApplicationCable::Channel
  def request
    request = connection.send(:request)
    transmit({
      path: request.path, query: request.query_parameters, parameters: request.path_parameters.except(:controller, :action),
      agent: request.headers["User-Agent"], address: request.remote_ip, method: request.request_method, tenant: connection.env["endtoend.tenant"],
      cookie: connection.send(:cookies)[:plain], encrypted: connection.send(:cookies).encrypted[:user], session: request.session[:user],
      uuid: request.uuid == connection.env["action_dispatch.request_id"] && request.uuid.present?, protocol: connection.protocol
    })
  end

  def siblings
    transmit({ identifiers: connection.subscriptions.identifiers })
  end

  def raw(data)
    connection.transmit({ type: "custom", text: data["text"], device: device })
    transmit({ after: "the raw one" })
  end

  def beat
    connection.beat
  end

  def close(data)
    if data.key?("reason")
      connection.close(reason: data["reason"], reconnect: data["reconnect"])
    else
      connection.close
    end
    transmit({ too: "late" })
  end

  def names
    transmit({ identifier: connection.connection_identifier, identifiers: connection.identifiers.to_a, user: user.to_s.first(3) })
  end

  def statistics
    statistics = connection.statistics
    transmit({ identifier: statistics[:identifier], subscriptions: statistics[:subscriptions],
      started: statistics[:started_at].is_a?(Time) && statistics[:started_at].between?(5.minutes.ago, Time.current), request_id: statistics[:request_id].present? })
  end

  def remember(data)
    connection.remember(data["name"], data["value"])
    journal "remembering"
    Gate.pass(data["gate"])
    transmit({ remembered: data["name"] })
  end

  def memory
    transmit({ memory: connection.memory.sort.to_h })
  end

  def greet
    transmit({ greeting: connection.greeting })
  end

  def parameters
    transmit({ string: params["name"], symbol: params[:name], nested: params[:nested] && params[:nested][:deep], keys: params.keys, class: params.class.name })
  end

  def ask_current
    transmit({ current: Current.text })
  end

  def set_current(data)
    Current.text = data["text"]
    transmit({ current: Current.text })
  end

  def hold_current(data)
    Current.text = data["text"]
    journal "holding"
    Gate.pass(data["gate"])
    transmit({ held: Current.text })
  end
end
