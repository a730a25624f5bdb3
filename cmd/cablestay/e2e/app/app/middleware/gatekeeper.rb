# frozen_string_literal: true

# Stands for all the middleware that real apps put before their cable: it may answer by itself, and what it
# leaves in env is there in connect.
class Gatekeeper
  def initialize(app)
    @app = app
  end

  def call(env)
    case env["HTTP_X_GATE"]
    when "throttled"
      [ 429, { "content-type" => "text/plain", "retry-after" => "7" }, [ "slow down" ] ]
    when "moved"
      [ 302, { "location" => "http://elsewhere.test/cable" }, [] ]
    else
      env["endtoend.tenant"] = "tenant of #{env["HTTP_X_TENANT"]}" if env["HTTP_X_TENANT"]
      @app.call(env)
    end
  end
end
