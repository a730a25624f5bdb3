# config/environments/production.rb

Rails.application.configure do
  # Use secure WebSocket in production
  config.action_cable.url = 'wss://yourapp.com/cable'
  
  # Allow connections from your domain
  config.action_cable.allowed_request_origins = [
    'https://yourapp.com',
    'https://www.yourapp.com'
  ]
  
  # Use Redis adapter for production
  config.action_cable.adapter = :redis
  
  # Mount path
  config.action_cable.mount_path = '/cable'
end
