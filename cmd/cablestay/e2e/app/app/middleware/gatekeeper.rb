# frozen_string_literal: true

# Stands for all the middleware that real apps put before their cable: it may answer by itself, and what it
# leaves in env is there in connect; what it leaves in its thread is not.
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
    when "unauthenticated"
      [ 401, { "content-type" => "text/plain", "www-authenticate" => "Basic" }, [ "who are you?" ] ]
    when "forbidden"
      [ 403, { "content-type" => "text/plain", "x-reason" => "banned" }, [ "not you" ] ]
    else
      if env["HTTP_X_TENANT"]
        env["endtoend.tenant"] = "tenant of #{env["HTTP_X_TENANT"]}"
        Thread.current[:endtoend_tenant] = Current.text = env["HTTP_X_TENANT"]
      end
      @app.call(env)
    end
  end
end
