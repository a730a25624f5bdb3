# spec/channels/application_cable/connection_spec.rb

require 'rails_helper'

RSpec.describe ApplicationCable::Connection, type: :channel do
  let(:user) { create(:user) }

  describe '#connect' do
    context 'with valid session' do
      it 'successfully connects' do
        connect('/cable', cookies: { user_id: user.id })
        
        expect(connection.current_user).to eq(user)
      end
    end

    context 'with valid JWT token' do
      let(:token) do
        JWT.encode(
          { user_id: user.id, exp: 1.hour.from_now.to_i },
          Rails.application.credentials.secret_key_base,
          'HS256'
        )
      end

      it 'successfully connects' do
        connect("/cable?token=#{token}")
        
        expect(connection.current_user).to eq(user)
      end
    end

    context 'with expired token' do
      let(:token) do
        JWT.encode(
          { user_id: user.id, exp: 1.hour.ago.to_i },
          Rails.application.credentials.secret_key_base,
          'HS256'
        )
      end

      it 'rejects the connection' do
        expect {
          connect("/cable?token=#{token}")
        }.to have_rejected_connection
      end
    end

    context 'without authentication' do
      it 'rejects the connection' do
        expect {
          connect('/cable')
        }.to have_rejected_connection
      end
    end
  end
end
