# frozen_string_literal: true

RSpec.describe ApplicationCable::Connection, type: :channel do
  let(:user) { create(:user) }

  describe "#connect" do
    it "takes the user of the encrypted cookie" do
      cookies.encrypted[:user_id] = user.id
      connect "/cable"

      expect(connection.current_user).to eq(user)
      expect(connection.current_account).to eq(user.account)
      expect(connection.connection_id).to be_present
    end

    it "takes the user of a Warden session" do
      connect "/cable", env: { "warden" => instance_double(Warden::Proxy, user: user) }

      expect(connection.current_user).to eq(user)
    end

    it "takes the user of a valid token" do
      connect "/cable?token=#{CableToken.issue(user)}"

      expect(connection.current_user).to eq(user)
    end

    it "prefers the cookie to a token of somebody else" do
      cookies.encrypted[:user_id] = user.id
      connect "/cable?token=#{CableToken.issue(create(:user))}"

      expect(connection.current_user).to eq(user)
    end

    it "remembers the connection, so that it can be ended" do
      cookies.encrypted[:user_id] = user.id
      connect "/cable"

      expect(ConnectionTracker.list(user).map { |tracked| tracked[:id] }).to eq([ connection.connection_id ])
    end

    it "rejects an expired token" do
      expect { connect "/cable?token=#{CableToken.issue(user, expires_at: 1.hour.ago)}" }.to have_rejected_connection
    end

    it "rejects a forged token" do
      forged = JWT.encode({ user_id: user.id, exp: 1.hour.from_now.to_i }, "another secret", "HS256")
      expect { connect "/cable?token=#{forged}" }.to have_rejected_connection
    end

    it "rejects a token that is a list or a hash" do
      [ "token[]=x", "token[a]=x" ].each do |query|
        expect { connect "/cable?#{query}" }.to have_rejected_connection
      end
    end

    it "rejects an unsigned token" do
      unsigned = JWT.encode({ user_id: user.id }, nil, "none")
      expect { connect "/cable?token=#{unsigned}" }.to have_rejected_connection
    end

    it "rejects a cookie that is not encrypted" do
      cookies[:user_id] = user.id
      expect { connect "/cable" }.to have_rejected_connection
    end

    it "rejects an inactive user" do
      user.update!(active: false)
      cookies.encrypted[:user_id] = user.id
      expect { connect "/cable" }.to have_rejected_connection
    end

    it "rejects a blocked address" do
      BlockedIp.create!(ip_address: "203.0.113.9")
      cookies.encrypted[:user_id] = user.id
      expect { connect "/cable", env: { "REMOTE_ADDR" => "203.0.113.9" } }.to have_rejected_connection
    end

    it "rejects everybody else" do
      expect { connect "/cable" }.to have_rejected_connection
      expect($redis.keys("connections:*")).to be_empty
    end
  end

  describe "#disconnect" do
    it "forgets the connection" do
      cookies.encrypted[:user_id] = user.id
      connect "/cable"

      expect { disconnect }.to change { ConnectionTracker.list(user).size }.from(1).to(0)
    end
  end
end
